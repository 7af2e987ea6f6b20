#include "engine/parting_namespaces.h"

#include <sys/resource.h>

#include <utility>

namespace vulcan {
namespace {

// The rest of the process needs descriptors, too.
[[nodiscard]] std::size_t Most() noexcept {
  rlimit limit{};
  constexpr rlim_t kShare = 4;
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur / kShare : 0;
}

}  // namespace

void PartingNamespaces::Hold(UniqueFd ns) {
  if (!ns) return;
  if (held_.size() >= Most()) Release();
  held_.push_back(std::move(ns));
}

}  // namespace vulcan
