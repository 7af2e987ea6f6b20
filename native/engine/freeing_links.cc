#include "engine/freeing_links.h"

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
  std::erase_if(links_, [&](const Link& link) { return link.until < now || !IsLinkPresent(link.name); });
  return links_.size() > kMany;
}

}  // namespace vulcan
