#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>

#include "sys/lock.h"

namespace vulcan::addon {

// The locks that JavaScript holds, by the numbers it knows them by. Only the environment's thread looks here;
// tasks share the lock itself, so it stays held while any of them runs.
class LockTable {
 public:
  [[nodiscard]] std::uint32_t Add(Lock lock) {
    locks_.emplace(++last_, std::make_shared<Lock>(std::move(lock)));
    return last_;
  }
  // Both return null for a number that is unknown or was released.
  [[nodiscard]] std::shared_ptr<Lock> Get(std::uint32_t handle) const {
    const auto found = locks_.find(handle);
    return found == locks_.end() ? nullptr : found->second;
  }
  [[nodiscard]] std::shared_ptr<Lock> Take(std::uint32_t handle) {
    auto node = locks_.extract(handle);
    return node ? std::move(node.mapped()) : nullptr;
  }

 private:
  std::unordered_map<std::uint32_t, std::shared_ptr<Lock>> locks_;
  std::uint32_t last_ = 0;
};

}  // namespace vulcan::addon
