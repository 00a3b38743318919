// Functions of one number that compilers make vectors of.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace codsl {

template <class T> inline T larger(T a, T b) { return a != a || a > b ? a : b; }
template <class T> inline T smaller(T a, T b) { return a != a || a < b ? a : b; }
template <class T> inline T clamp(T x, T low, T high) { x = x < low ? low : x; return x > high ? high : x; }
template <class T> inline T absolute(T x) { return x < 0 ? -x : x; }

inline float remainder(float x, float y) { const float r = std::fmod(x, y); return r != 0 && (r < 0) != (y < 0) ? r + y : r; }
inline double remainder(double x, double y) { const double r = std::fmod(x, y); return r != 0 && (r < 0) != (y < 0) ? r + y : r; }
inline int64_t remainder(int64_t x, int64_t y) { const int64_t r = x % y; return r != 0 && (r < 0) != (y < 0) ? r + y : r; }

// 2 to the power of n.
inline float power(int32_t n) {
  const int32_t bits = (n + 127) << 23;
  float y;
  std::memcpy(&y, &bits, sizeof y);
  return y;
}

// Powers of e by halving the range and a polynomial, as in Cephes (Moshier, 1989), of what has a
// power that is neither infinite nor less than the least normal number.
inline float exp_within(float x) {
  const float whole = (x * 1.44269504088896341f + 12582912.0f) - 12582912.0f;
  float r = x - whole * 0.693359375f;
  r = r + whole * 2.12194440e-4f;
  float y = 1.9875691500e-4f;
  y = y * r + 1.3981999507e-3f;
  y = y * r + 8.3334519073e-3f;
  y = y * r + 4.1665795894e-2f;
  y = y * r + 1.6666665459e-1f;
  y = y * r + 5.0000001201e-1f;
  y = y * r * r + r + 1.0f;
  return y * power(static_cast<int32_t>(whole));
}
inline double exp_within(double x) { return std::exp(x); }

inline float exp(float x) {
  // Of twice the half, since the power may be no normal number.
  const float low = x < -104.0f ? -104.0f : x;
  const float half = exp_within((low > 89.0f ? 89.0f : low) * 0.5f);
  return half * half;
}
inline double exp(double x) { return std::exp(x); }

// e to the power of x, less one: a polynomial near zero, where the difference loses digits.
inline float expm1(float x) {
  float near = 1.9841270e-4f;
  near = near * x + 1.3888889e-3f;
  near = near * x + 8.3333333e-3f;
  near = near * x + 4.1666667e-2f;
  near = near * x + 1.6666667e-1f;
  near = near * x + 5.0e-1f;
  near = near * x * x + x;
  return absolute(x) < 0.4f ? near : exp(x) - 1.0f;
}
inline double expm1(double x) { return std::expm1(x); }

// The logarithm by its exponent and a polynomial of what is left (Cephes).
inline float log(float x) {
  const bool tiny = x < std::numeric_limits<float>::min();
  const float normal = tiny ? x * 8388608.0f : x;
  int32_t bits;
  std::memcpy(&bits, &normal, sizeof bits);
  const int32_t within = (bits & 0x007fffff) | 0x3f000000;
  float half;
  std::memcpy(&half, &within, sizeof half);
  const float power = static_cast<float>(((bits >> 23) & 0xff) - 126 - (tiny ? 23 : 0));
  const bool low = half < 0.707106781186547524f;
  const float r = low ? half + half - 1.0f : half - 1.0f;
  const float e = low ? power - 1.0f : power;
  const float z = r * r;
  float y = 7.0376836292e-2f;
  y = y * r - 1.1514610310e-1f;
  y = y * r + 1.1676998740e-1f;
  y = y * r - 1.2420140846e-1f;
  y = y * r + 1.4249322787e-1f;
  y = y * r - 1.6668057665e-1f;
  y = y * r + 2.0000714765e-1f;
  y = y * r - 2.4999993993e-1f;
  y = y * r + 3.3333331174e-1f;
  y = y * r * z - 2.12194440e-4f * e - 0.5f * z;
  y = r + y + 0.693359375f * e;
  y = x == std::numeric_limits<float>::infinity() ? x : y;
  y = x == 0 ? -std::numeric_limits<float>::infinity() : y;
  return x < 0 || x != x ? std::numeric_limits<float>::quiet_NaN() : y;
}
inline double log(double x) { return std::log(x); }

// The logarithm of 1 + x, with what 1 + x loses of x put right.
inline float log1p(float x) {
  const float more = 1.0f + x;
  const float y = log(more) - (more - 1.0f - x) / more;
  return more == 0 || more == std::numeric_limits<float>::infinity() ? log(more) : y;
}
inline double log1p(double x) { return std::log1p(x); }

template <class T> inline T sigmoid(T x) {
  const T low = x < T(-87) ? T(-87) : x;
  const T y = 1 / (1 + exp_within(-(low > T(87) ? T(87) : low)));
  return x < T(-104) ? T(0) : y;
}

// tanh: a polynomial near zero, where the quotient loses digits (Cephes).
inline float tanh(float x) {
  const float a = absolute(x);
  const float z = x * x;
  float near = -5.70498872745e-3f;
  near = near * z + 2.06390887954e-2f;
  near = near * z - 5.37397155531e-2f;
  near = near * z + 1.33314422036e-1f;
  near = near * z - 3.33332819422e-1f;
  near = near * z * x + x;
  const float far = 1.0f - 2.0f / (exp(2 * a) + 1.0f);
  return a < 0.625f ? near : x < 0 ? -far : x != x ? x : far;
}
inline double tanh(double x) { return std::tanh(x); }

// The error function by a quotient of polynomials, up to where it is 1 (as in Eigen).
inline float erf(float v) {
  const float low = v < -4.0f ? -4.0f : v;
  const float x = low > 4.0f ? 4.0f : low;
  const float z = x * x;
  float above = -2.72614225801306e-10f;
  above = above * z + 2.77068142495902e-08f;
  above = above * z - 2.10102402082508e-06f;
  above = above * z - 5.69250639462346e-05f;
  above = above * z - 7.34990630326855e-04f;
  above = above * z - 2.95459980854025e-03f;
  above = above * z - 1.60960333262415e-02f;
  float below = -1.45660718464996e-05f;
  below = below * z - 2.13374055278905e-04f;
  below = below * z - 1.68282697438203e-03f;
  below = below * z - 7.37332916720468e-03f;
  below = below * z - 1.42647390514189e-02f;
  return x * above / below;
}
inline double erf(double x) { return std::erf(x); }

template <class T> inline T softplus(T x) {
  const T large = x > 0 ? x : T(0);
  return large + log1p(exp(-absolute(x)));
}

}  // namespace codsl
