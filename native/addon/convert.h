#pragma once

#include <napi.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace vulcan::addon {

// A plain object that TypeScript made. It has been validated there; here types are only asserted, so a wrong
// one is a mistake of the caller's and throws a TypeError that names the field.
class Fields {
 public:
  explicit Fields(Napi::Object object) : object_(object) {}
  [[nodiscard]] static Fields Of(const Napi::Value& value, const char* what);

  // Absent and undefined are the same.
  [[nodiscard]] bool Has(const char* name) const;
  // Without NUL, for whatever the kernel reads as a C string.
  [[nodiscard]] std::string String(const char* name) const;
  [[nodiscard]] std::optional<std::string> OptionalString(const char* name) const;
  [[nodiscard]] std::vector<std::string> Strings(const char* name) const;
  // Any text, for what is written or piped.
  [[nodiscard]] std::string Text(const char* name) const;
  [[nodiscard]] double Number(const char* name) const { return NumberOf(Get(name), name); }
  [[nodiscard]] bool Bool(const char* name) const;
  [[nodiscard]] std::optional<bool> OptionalBool(const char* name) const;
  [[nodiscard]] std::vector<Fields> Objects(const char* name) const;
  // Empty for `null`, too.
  [[nodiscard]] std::optional<Fields> OptionalObject(const char* name) const;
  [[nodiscard]] Napi::Value Get(const char* name) const;
  // Throws the TypeError.
  [[noreturn]] void Fail(const char* name, const char* expected) const;

  template <typename T = int>
  [[nodiscard]] T Integer(const char* name) const {
    return IntegerOf<T>(Get(name), name);
  }
  template <typename T = int>
  [[nodiscard]] std::optional<T> OptionalInteger(const char* name) const {
    const Napi::Value value = Get(name);
    if (value.IsUndefined()) return std::nullopt;
    return IntegerOf<T>(value, name);
  }

 private:
  // Each throws where `value`, which has the name, is none.
  [[nodiscard]] std::string TextOf(const Napi::Value& value, const char* name) const;
  [[nodiscard]] std::string StringOf(const Napi::Value& value, const char* name) const;
  [[nodiscard]] bool BoolOf(const Napi::Value& value, const char* name) const;
  [[nodiscard]] double NumberOf(const Napi::Value& value, const char* name) const;
  template <typename T>
  [[nodiscard]] T IntegerOf(const Napi::Value& value, const char* name) const {
    const double number = NumberOf(value, name);
    // Both bounds are exact as doubles: an integer of 64 bits is bounded by what JavaScript can count to.
    constexpr double kMostExact = 9007199254740991.0;
    constexpr double kLeast = sizeof(T) > 4 ? (std::is_signed_v<T> ? -kMostExact : 0.0)
                                            : static_cast<double>(std::numeric_limits<T>::min());
    constexpr double kMost = sizeof(T) > 4 ? kMostExact : static_cast<double>(std::numeric_limits<T>::max());
    if (number != std::trunc(number) || number < kLeast || number > kMost) Fail(name, "an integer in range");
    return static_cast<T>(number);
  }

  Napi::Object object_;
};

// lib/native/error.ts: NativeError.
[[nodiscard]] Napi::Error ToJsError(Napi::Env env, const Error& error);

[[nodiscard]] inline Napi::Value ToJs(Napi::Env env, bool value) { return Napi::Boolean::New(env, value); }
[[nodiscard]] inline Napi::Value ToJs(Napi::Env env, double value) { return Napi::Number::New(env, value); }
[[nodiscard]] inline Napi::Value ToJs(Napi::Env env, const std::string& value) {
  return Napi::String::New(env, value);
}
[[nodiscard]] inline Napi::Value ToJs(Napi::Env env, const Error& error) {
  return ToJsError(env, error).Value();
}
// Empty is null.
template <typename T>
[[nodiscard]] Napi::Value ToJs(Napi::Env env, const std::optional<T>& value) {
  return value ? ToJs(env, *value) : env.Null();
}
// Empty is null.
[[nodiscard]] inline Napi::Value TextOrNull(Napi::Env env, const std::string& text) {
  return text.empty() ? env.Null() : ToJs(env, text);
}

// A range as an array, each element by `convert(env, element)`.
template <typename Range, typename Convert>
[[nodiscard]] Napi::Array ToArray(Napi::Env env, const Range& range, Convert convert) {
  Napi::Array array = Napi::Array::New(env, range.size());
  std::uint32_t index = 0;
  for (const auto& element : range) array.Set(index++, convert(env, element));
  return array;
}

template <typename T>
[[nodiscard]] Napi::Value ToJs(Napi::Env env, const std::vector<T>& values) {
  return ToArray(env, values, [](Napi::Env e, const T& value) { return ToJs(e, value); });
}

}  // namespace vulcan::addon
