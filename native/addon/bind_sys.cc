#include "addon/bind.h"
#include "addon/task.h"

namespace vulcan::addon {

void BindSys(Napi::Object exports, Module& module) {
  static_cast<void>(exports);
  static_cast<void>(module);
}

}  // namespace vulcan::addon
