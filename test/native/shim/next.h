#pragma once

#include <dlfcn.h>

namespace vulcan::shim {

// The function that the shim's own stands before.
template <typename Function>
[[nodiscard]] Function* Next(Function*, const char* name) noexcept {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

// A system call that is no point.
template <typename... Arguments>
long Raw(long number, Arguments... arguments) noexcept {
  static const auto next = reinterpret_cast<long (*)(long, ...)>(::dlsym(RTLD_NEXT, "syscall"));
  return next(number, arguments...);
}

}  // namespace vulcan::shim
