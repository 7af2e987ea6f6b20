#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/cancellation.h"
#include "base/ip_address.h"
#include "base/wait.h"
#include "nft/conntrack.h"

namespace vulcan {

struct LeftConnectionsPlan {
  std::vector<IpAddress> addresses;
  // host-local's directory, where an address that somebody has again has a file. Empty: nobody is asked.
  std::optional<std::string> store;
};

// Forgets the connections that the host tracks of addresses whose VMs are gone.
class LeftConnections {
 public:
  explicit LeftConnections(LeftConnectionsPlan plan) : plan_(std::move(plan)) {}

  // One search of the kernel's at a time, or one reading for all. Which addresses are somebody's by now:
  // theirs are left alone. EBUSY, once the others' are forgotten, when one always has new ones.
  [[nodiscard]] Progress<std::vector<std::string>> Step(const Cancellation& cancellation);

 private:
  void Begin();
  [[nodiscard]] bool IsTaken(const IpAddress& address);

  LeftConnectionsPlan plan_;
  std::optional<Conntrack> conntrack_;
  std::vector<IpAddress> busy_;
  std::size_t next_ = 0;
  std::vector<std::string> taken_;
};

}  // namespace vulcan
