#pragma once

#include <sys/types.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/cancellation.h"
#include "base/unique_fd.h"
#include "sys/netns.h"

namespace vulcan {

enum class HoldVia {
  kMember,  // a thread of it runs in the namespace
  kFd,      // it holds the namespace open
  kMount,   // it sees the namespace mounted, in another mount namespace than ours
};

struct NamespaceHolder {
  pid_t pid;
  std::string command;
  HoldVia via;
};

// Who keeps each of the namespaces alive, in one reading of /proc, by all that it tells: a socket or a TAP
// that is used from outside of a namespace pins it, too, and is not seen; nor is a process that does not let
// itself be looked at. One process for each mount namespace is named.
[[nodiscard]] std::vector<std::vector<NamespaceHolder>> FindHolders(const std::vector<NamespaceId>& ids,
                                                                    const Cancellation& cancellation);

struct InhabitedNamespaces {
  std::set<std::uint64_t> inodes;
  // 0, or why some thread that lives could not be looked at: EACCES or EPERM where others have capabilities,
  // which takes CAP_SYS_PTRACE.
  int unread = 0;
};

// Inodes of the network namespaces that threads run in, in one reading of /proc.
[[nodiscard]] InhabitedNamespaces ReadInhabitedNamespaces(const Cancellation& cancellation);

// The namespace itself, by way of whoever runs in it or has it open; empty when nobody who lets himself be
// looked at does. It is known by
// its id, never by a pid.
[[nodiscard]] UniqueFd OpenHeldNamespace(const NamespaceId& id, const Cancellation& cancellation);

}  // namespace vulcan
