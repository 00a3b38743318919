// The names of ONNX Runtime's C++ interface that samples use, with its types, for a compiler that looks at syntax.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#define ORT_TSTR(x) x
struct OrtMemoryInfo;
struct OrtAllocator;

namespace Ort {
struct ConstMemoryInfo { operator const OrtMemoryInfo*() const; };
struct AllocatorWithDefaultOptions { operator OrtAllocator*(); ConstMemoryInfo GetInfo() const; };
struct TensorTypeAndShapeInfo { std::vector<int64_t> GetShape() const; size_t GetElementCount() const; };
struct Value {
  Value(Value&&) = default;
  Value& operator=(Value&&) = default;
  template <typename T>
  static Value CreateTensor(OrtAllocator*, const int64_t* shape, size_t dims);
  template <typename T>
  T* GetTensorMutableData();
  TensorTypeAndShapeInfo GetTensorTypeAndShapeInfo() const;
};
struct Env { Env(); };
struct SessionOptions {};
struct RunOptions {};
struct IoBinding;
struct Session {
  Session(const Env&, const char* path, const SessionOptions&);
  void Run(const RunOptions&, const IoBinding&);
};
struct IoBinding {
  explicit IoBinding(Session&);
  void BindInput(const char* name, const Value&);
  void BindOutput(const char* name, const Value&);
  void BindOutput(const char* name, const OrtMemoryInfo*);
  void ClearBoundOutputs();
  std::vector<Value> GetOutputValues() const;
};
}  // namespace Ort
