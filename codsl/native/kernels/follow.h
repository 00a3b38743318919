// What follows a range of places, as one type for every kernel, which is compiled once.
#pragma once

namespace codsl {

class Follow {
 public:
  template <class Body>
  Follow(const Body& body) : body_(&body), call_(&Follow::call<Body>) {}
  void operator()(long first, long stop) const { call_(body_, first, stop); }

 private:
  template <class Body>
  static void call(const void* body, long first, long stop) { (*static_cast<const Body*>(body))(first, stop); }

  const void* body_;
  void (*call_)(const void*, long, long);
};

}  // namespace codsl
