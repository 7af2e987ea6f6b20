#include "engine/freeing_links.h"

#include <iterator>
#include <utility>
#include <vector>

#include "sys/link_presence.h"

namespace vulcan {
namespace {

// One batch of the kernel's clean-up takes about a millisecond a namespace.
constexpr std::size_t kMany = 32;
constexpr std::size_t kMostRemembered = 4'096;

}  // namespace

void FreeingLinks::Add(const std::string& link) {
  if (links_.size() == kMostRemembered) links_.pop_front();
  links_.push_back({link, Clock::now() + patience_});
}

bool FreeingLinks::AreMany() {
  if (links_.size() <= kMany) return false;
  const auto now = Clock::now();
  std::vector<Link> left;
  // The rest is not looked at: this is asked for all the time while thousands are there.
  for (; !links_.empty() && left.size() <= kMany; links_.pop_front()) {
    Link& link = links_.front();
    if (link.until >= now && IsLinkPresent(link.name)) left.push_back(std::move(link));
  }
  links_.insert(links_.begin(), std::make_move_iterator(left.begin()), std::make_move_iterator(left.end()));
  return left.size() > kMany;
}

}  // namespace vulcan
