#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "netlink/rtnl_message.h"

namespace vulcan {

// Requests that travel in one send.
// The kernel goes on after a request that fails: whoever undoes must assume that every later one took effect.
class RtnlBatch {
 public:
  RtnlBatch& Add(RtnlMessage message) {
    messages_.push_back(std::move(message));
    return *this;
  }
  [[nodiscard]] bool IsEmpty() const noexcept { return messages_.empty(); }
  [[nodiscard]] std::span<RtnlMessage> Messages() noexcept { return messages_; }

 private:
  std::vector<RtnlMessage> messages_;
};

// For each request of a batch, in order: empty when it took effect.
using RtnlBatchResult = std::vector<std::optional<Error>>;

}  // namespace vulcan
