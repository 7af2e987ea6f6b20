#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/unique_fd.h"
#include "base/wait.h"
#include "sys/directory.h"
#include "sys/lock.h"
#include "sys/unmounter.h"

namespace vulcan {

// An anchor that is being removed, while whoever holds the VM's lock goes on with the rest.
class Unnaming {
 public:
  // Begins it. EEXIST with reason kForeign when the anchor was not made under this lock.
  Unnaming(const std::string& directory, std::string name, Lock& lock, Unmounter& unmounter);

  // Empty: the name is gone, and the claim is forgotten.
  [[nodiscard]] std::optional<Wait> TryEnd();
  // Names the namespace again.
  void Undo();
  // It lives on with the descriptor.
  [[nodiscard]] UniqueFd TakeNamespace() { return std::move(ns_); }

 private:
  Directory directory_;
  std::string name_;
  Lock& lock_;
  Claim claim_;
  UniqueFd ns_;
  std::shared_ptr<Unmount> unmount_;
  // Until then the mount is likely to be detached at any moment.
  Clock::time_point soon_;
};

}  // namespace vulcan
