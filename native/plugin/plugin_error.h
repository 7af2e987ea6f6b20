#pragma once

#include <exception>
#include <string>
#include <utility>

#include "base/error.h"

namespace vulcan::plugin {

// CNI's reserved codes, as far as this plugin uses them.
enum class Code {
  kIncompatibleVersion = 1,
  kInvalidEnvironment = 4,
  kIo = 5,
  kDecoding = 6,
  kInvalidConfig = 7,
  kInvalidNetns = 8,
  kUnavailable = 50,
  kInternal = 999,
};

// What the runtime gets as error JSON. Messages are those of CNI's own plugin skeleton and of the original
// tc-redirect-tap, because people and programs know them.
class PluginError : public std::exception {
 public:
  PluginError(Code code, std::string message, std::string details = {})
      : code_(code), message_(std::move(message)), details_(std::move(details)) {}

  // CNI's error object: {"code", "msg", "details"?}, indented.
  [[nodiscard]] std::string ToJson() const;
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

 private:
  Code code_;
  std::string message_;
  std::string details_;
};

// What a lower floor threw, and what it could not undo.
[[nodiscard]] PluginError FromError(const Error& error, const std::string& context = {});

}  // namespace vulcan::plugin
