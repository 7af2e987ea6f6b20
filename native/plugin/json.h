#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace vulcan::plugin {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

// The texts of a decoder's complaints are those of Go's, which runtimes show.
[[nodiscard]] Json ParseJson(std::string_view text);

// Go quotes a string so, in most cases.
[[nodiscard]] std::string Quote(std::string_view text);

// <, > and & as Go's encoder has them, so that the same result is the same text.
[[nodiscard]] std::string EscapeForHtml(std::string text);

// Indented by four, without a line's end.
template <typename AnyJson>
[[nodiscard]] std::string ToText(const AnyJson& value) {
  return EscapeForHtml(value.dump(4, ' ', false, AnyJson::error_handler_t::replace));
}

// Members of an object, whatever the case of the key where none has the name to the letter, as Go takes them.
// Absent and null are the same; another type is an error that names the member.
[[nodiscard]] const Json* Member(const Json& object, const char* name);
[[nodiscard]] std::string StringMember(const Json& object, const char* name);
[[nodiscard]] const Json* ObjectMember(const Json& object, const char* name);
// Never null: an empty array where there is none.
[[nodiscard]] const Json& ArrayMember(const Json& object, const char* name);
[[nodiscard]] const Json* IntegerMember(const Json& object, const char* name);

}  // namespace vulcan::plugin
