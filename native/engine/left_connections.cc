#include "engine/left_connections.h"

#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "engine/tracked_connections.h"
#include "sys/directory.h"

namespace vulcan {

Progress<std::vector<std::string>> LeftConnections::Step(const Cancellation& cancellation) {
  cancellation.ThrowIfCancelled();
  if (!conntrack_) {
    Begin();
  } else if (const IpAddress& address = plan_.addresses[next_++]; !IsTaken(address)) {
    if (!conntrack_->TryRemove(address)) throw Error(EOPNOTSUPP, "IPCTNL_MSG_CT_DELETE");
  }
  if (next_ < plan_.addresses.size()) return Wait{{}, Clock::now()};
  if (!busy_.empty()) throw AlwaysNewConnections(busy_.front());
  return std::move(taken_);
}

void LeftConnections::Begin() {
  std::erase_if(plan_.addresses, [this](const IpAddress& each) { return IsTaken(each); });
  conntrack_.emplace();
  auto still = ForgetTogether(*conntrack_, plan_.addresses);
  plan_.addresses = std::move(still.left);
  busy_ = std::move(still.busy);
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
