#include "plugin/json.h"

#include <strings.h>

#include <array>
#include <utility>

#include "plugin/plugin_error.h"

namespace vulcan::plugin {
namespace {

[[noreturn]] void Mistyped(const Json& value, const char* name, const char* expected) {
  throw PluginError(Code::kDecoding, std::string("json: cannot unmarshal ") + value.type_name() +
                                         " into field " + name + " of type " + expected);
}

}  // namespace

Json ParseJson(std::string_view text) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    if (error.byte == 0 || error.byte > text.size()) {
      throw PluginError(Code::kDecoding, "unexpected end of JSON input");
    }
    throw PluginError(Code::kDecoding, std::string("invalid character '") + text[error.byte - 1] +
                                           "' at byte " + std::to_string(error.byte));
  } catch (const Json::out_of_range& error) {
    throw PluginError(Code::kDecoding, error.what());
  }
}

std::string Quote(std::string_view text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string EscapeForHtml(std::string text) {
  static constexpr std::array<std::pair<char, const char*>, 3> kEscapes = {
      {{'<', "\\u003c"}, {'>', "\\u003e"}, {'&', "\\u0026"}}};
  for (const auto& [plain, escape] : kEscapes) {
    for (auto at = text.find(plain); at != std::string::npos; at = text.find(plain, at))
      text.replace(at, 1, escape);
  }
  return text;
}

const Json* Member(const Json& object, const char* name) {
  auto found = object.find(name);
  for (auto each = object.begin(); found == object.end() && each != object.end(); ++each) {
    if (::strcasecmp(each.key().c_str(), name) == 0) found = each;
  }
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string StringMember(const Json& object, const char* name) {
  const Json* value = Member(object, name);
  if (value == nullptr) return {};
  if (!value->is_string()) Mistyped(*value, name, "string");
  return value->get<std::string>();
}

const Json* ObjectMember(const Json& object, const char* name) {
  const Json* value = Member(object, name);
  if (value != nullptr && !value->is_object()) Mistyped(*value, name, "object");
  return value;
}

const Json& ArrayMember(const Json& object, const char* name) {
  static const Json none = Json::array();
  const Json* value = Member(object, name);
  if (value == nullptr) return none;
  if (!value->is_array()) Mistyped(*value, name, "array");
  return *value;
}

const Json* IntegerMember(const Json& object, const char* name) {
  const Json* value = Member(object, name);
  if (value != nullptr && !value->is_number_integer()) Mistyped(*value, name, "int");
  return value;
}

}  // namespace vulcan::plugin
