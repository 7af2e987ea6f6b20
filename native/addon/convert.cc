#include "addon/convert.h"

#include <string_view>
#include <utility>

namespace vulcan::addon {
namespace {

// A Set(name, int) is ambiguous, so numbers are made explicitly.
void SetString(Napi::Object& object, const char* name, const std::string& value) {
  if (!value.empty()) object.Set(name, Napi::String::New(object.Env(), value));
}

}  // namespace

Fields Fields::Of(const Napi::Value& value, const char* what) {
  if (!value.IsObject()) throw Napi::TypeError::New(value.Env(), std::string(what) + " must be an object");
  return Fields(value.As<Napi::Object>());
}

Napi::Value Fields::Get(const char* name) const { return object_.Get(name); }

bool Fields::Has(const char* name) const { return !Get(name).IsUndefined(); }

void Fields::Fail(const char* name, const char* expected) const {
  throw Napi::TypeError::New(object_.Env(), std::string(name) + " must be " + expected);
}

std::string Fields::TextOf(const Napi::Value& value, const char* name) const {
  if (!value.IsString()) Fail(name, "a string");
  return value.As<Napi::String>().Utf8Value();
}

std::string Fields::StringOf(const Napi::Value& value, const char* name) const {
  std::string text = TextOf(value, name);
  if (text.find('\0') != std::string::npos) Fail(name, "a string without NUL");
  return text;
}

std::string Fields::Text(const char* name) const { return TextOf(Get(name), name); }

std::string Fields::String(const char* name) const { return StringOf(Get(name), name); }

std::optional<std::string> Fields::OptionalString(const char* name) const {
  const Napi::Value value = Get(name);
  if (value.IsUndefined()) return std::nullopt;
  return StringOf(value, name);
}

std::vector<std::string> Fields::Strings(const char* name) const {
  const Napi::Value value = Get(name);
  if (!value.IsArray()) Fail(name, "an array of strings");
  const auto array = value.As<Napi::Array>();
  std::vector<std::string> strings;
  for (std::uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::Value element = array.Get(i);
    if (!element.IsString()) Fail(name, "an array of strings");
    strings.push_back(element.As<Napi::String>().Utf8Value());
    if (strings.back().find('\0') != std::string::npos) Fail(name, "an array of strings without NUL");
  }
  return strings;
}

bool Fields::BoolOf(const Napi::Value& value, const char* name) const {
  if (!value.IsBoolean()) Fail(name, "a boolean");
  return value.As<Napi::Boolean>().Value();
}

bool Fields::Bool(const char* name) const { return BoolOf(Get(name), name); }

std::optional<bool> Fields::OptionalBool(const char* name) const {
  const Napi::Value value = Get(name);
  if (value.IsUndefined()) return std::nullopt;
  return BoolOf(value, name);
}

std::vector<Fields> Fields::Objects(const char* name) const {
  const Napi::Value value = Get(name);
  if (!value.IsArray()) Fail(name, "an array of objects");
  const auto array = value.As<Napi::Array>();
  std::vector<Fields> objects;
  for (std::uint32_t i = 0; i < array.Length(); ++i) objects.push_back(Of(array.Get(i), name));
  return objects;
}

std::optional<Fields> Fields::OptionalObject(const char* name) const {
  const Napi::Value value = Get(name);
  if (value.IsUndefined() || value.IsNull()) return std::nullopt;
  return Of(value, name);
}

double Fields::NumberOf(const Napi::Value& value, const char* name) const {
  if (!value.IsNumber()) Fail(name, "a number");
  return value.As<Napi::Number>().DoubleValue();
}

Napi::Error ToJsError(Napi::Env env, const Error& error) {
  Napi::Error result = Napi::Error::New(env, error.what());
  Napi::Object fields = result.Value();
  SetString(fields, "code", ErrnoName(error.Errnum()));
  fields.Set("errno", Napi::Number::New(env, -error.Errnum()));
  SetString(fields, "syscall", error.Syscall());
  SetString(fields, "path", error.GetPath());
  SetString(fields, "kernelMessage", error.KernelMessage());
  SetString(fields, "step", error.Step());
  SetString(fields, "reason", std::string(ReasonName(error.GetReason())));
  if (!error.UndoErrors().empty()) {
    fields.Set("undoErrors", ToArray(env, error.UndoErrors(), [](Napi::Env e, const Error& each) {
                 return ToJsError(e, each).Value();
               }));
  }
  return result;
}

}  // namespace vulcan::addon
