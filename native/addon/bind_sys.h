#pragma once

#include <napi.h>

#include <memory>

#include "addon/convert.h"
#include "addon/module.h"

namespace vulcan::addon {

class Module;

// The parts of BindSys.
void BindLocks(Napi::Object exports, Module& module);
void BindAnchors(Napi::Object exports, Module& module);
void BindFiles(Napi::Object exports, Module& module);
void BindExec(Napi::Object exports, Module& module);

// The lock that a plan's `lock` names; a TypeError when there is none.
[[nodiscard]] std::shared_ptr<Lock> LockOf(const LockTable& locks, const Fields& plan);
// Null when the plan has no `lock`.
[[nodiscard]] std::shared_ptr<Lock> OptionalLockOf(const LockTable& locks, const Fields& plan);

}  // namespace vulcan::addon
