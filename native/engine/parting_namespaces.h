#pragma once

#include <vector>

#include "base/unique_fd.h"

namespace vulcan {

// Namespaces that have lost their names, held until all of them can go: the kernel frees those that go
// together much cheaper than one after another, and whoever needs RTNL in between does not have to wait for
// it.
class PartingNamespaces {
 public:
  // By a descriptor that refers to it. Others go now where too many descriptors are held.
  void Hold(UniqueFd ns);
  void Release() noexcept { held_.clear(); }

 private:
  std::vector<UniqueFd> held_;
};

}  // namespace vulcan
