#include "engine/left_connections.h"

#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "sys/directory.h"

namespace vulcan {

Progress<std::vector<std::string>> LeftConnections::Step(const Cancellation& cancellation) {
  cancellation.ThrowIfCancelled();
  if (!conntrack_) {
    if (!Begin()) return std::move(taken_);
  } else if (const IpAddress& address = plan_.addresses[next_++]; !IsTaken(address)) {
    if (!conntrack_->TryRemove(address)) throw Error(EOPNOTSUPP, "IPCTNL_MSG_CT_DELETE");
  }
  if (next_ == plan_.addresses.size()) return std::move(taken_);
  return Wait{{}, Clock::now()};
}

bool LeftConnections::Begin() {
  auto& addresses = plan_.addresses;
  std::erase_if(addresses, [this](const IpAddress& each) { return IsTaken(each); });
  conntrack_.emplace();
  const auto connections = addresses.empty() ? 0 : conntrack_->Count();
  if (connections == 0) return false;
  if (Conntrack::AreFew(addresses.size(), connections) && conntrack_->TryRemove(addresses.front())) {
    next_ = 1;
    return true;
  }
  conntrack_->Remove(addresses);
  return false;
}

bool LeftConnections::IsTaken(const IpAddress& address) {
  if (!plan_.store) return false;
  const std::string name = address.ToString();
  const auto store = Directory::OpenIfPresent(*plan_.store);
  if (!store || ::faccessat(store->Fd(), name.c_str(), F_OK, 0) != 0) return false;
  taken_.push_back(name);
  return true;
}

}  // namespace vulcan
