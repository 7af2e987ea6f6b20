#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>

namespace vulcan::addon {

// What JavaScript holds, by the numbers it knows it by. Only the environment's thread looks here; tasks share
// the thing itself, so it lives while any of them runs.
template <typename Held>
class HandleTable {
 public:
  [[nodiscard]] std::uint32_t Add(Held held) {
    auto shared = std::make_shared<Held>(std::move(held));
    // Where the numbers begin anew, some are still in use.
    while (!held_.try_emplace(++last_, shared).second) continue;
    return last_;
  }
  // Both return null for a number that is unknown or was released.
  [[nodiscard]] std::shared_ptr<Held> Get(std::uint32_t handle) const {
    const auto found = held_.find(handle);
    return found == held_.end() ? nullptr : found->second;
  }
  [[nodiscard]] std::shared_ptr<Held> Take(std::uint32_t handle) {
    auto node = held_.extract(handle);
    return node ? std::move(node.mapped()) : nullptr;
  }

 private:
  std::unordered_map<std::uint32_t, std::shared_ptr<Held>> held_;
  std::uint32_t last_ = 0;
};

}  // namespace vulcan::addon
