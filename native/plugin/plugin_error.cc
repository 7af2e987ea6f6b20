#include "plugin/plugin_error.h"

#include "plugin/json.h"

namespace vulcan::plugin {

std::string PluginError::ToJson() const {
  OrderedJson object = {{"code", static_cast<int>(code_)}, {"msg", message_}};
  if (!details_.empty()) object["details"] = details_;
  return ToText(object);
}

PluginError FromError(const Error& error, const std::string& context) {
  std::string details;
  for (const Error& failed : error.UndoErrors()) {
    details += std::string(details.empty() ? "not undone: " : "; ") + failed.what();
  }
  return {Code::kInternal, context + error.what(), details};
}

}  // namespace vulcan::plugin
