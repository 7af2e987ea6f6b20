#include "engine/link_labels.h"

#include <algorithm>
#include <cerrno>

#include "netlink/link_change.h"

namespace vulcan {
namespace {

// The acknowledgements of so many fit into a socket.
constexpr std::size_t kAtOnce = 32;

}  // namespace

Progress<int> LabelLinks::Step() {
  const std::size_t end = std::min(next_ + kAtOnce, labels_.size());
  RtnlBatch batch;
  for (; next_ < end; ++next_) {
    LinkChange change;
    change.alias = labels_[next_].alias;
    batch.Add(SetLink(labels_[next_].link, change));
  }
  for (const auto& error : host_.Links().Send(std::move(batch))) {
    if (error && error->Errnum() != ENODEV) throw Error(*error);
    if (error) ++gone_;
  }
  if (next_ == labels_.size()) return gone_;
  return Wait{{}, Clock::now()};
}

}  // namespace vulcan
