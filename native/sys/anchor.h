#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/cancellation.h"
#include "base/unique_fd.h"
#include "sys/directory.h"
#include "sys/lock.h"
#include "sys/netns.h"

namespace vulcan {

// An anchor is a network namespace under a name: a file on which it is mounted, as `ip netns` does.
// Whoever creates or removes one holds the VM's lock.

enum class AnchorKind {
  kAbsent,
  kNamespace,
  kFile,  // a plain file, which may be a live namespace seen from another mount namespace
  kOther,
};

struct AnchorState {
  AnchorKind kind = AnchorKind::kAbsent;
  NamespaceId id{};
  // Whether the lock's claim names this very namespace; for anything else: whether it names one at all.
  bool claimed = false;
  // Whose the attachment is by the lock's claim, where that is not the VM's own id.
  std::string container;
  // Since the last change of its status.
  double age_ms = 0;
  // Whether it is this process's own.
  bool is_host = false;
};

// A new namespace under a new name. The claim is written before the name is made, so that a crash in between
// leaves nothing that can't be told from somebody else's. EEXIST with reason kForeign when the name is taken.
// `container`: as in a claim.
[[nodiscard]] AnchorState CreateAnchor(const std::string& directory, const std::string& name, Lock& lock,
                                       const std::string& container, const Cancellation& cancellation);

// The same for a namespace that is there: `ns_fd` gets the name, which must not be in use.
[[nodiscard]] NamespaceId NameNamespace(const Directory& directory, const std::string& name, Lock& lock,
                                        int ns_fd);

// Without a lock, nothing is claimed.
[[nodiscard]] AnchorState GetAnchorState(const std::string& directory, const std::string& name,
                                         const Lock* lock);

// Whose it must be that is removed.
enum class AnchorOwner {
  kAnybody,
  kLock,  // made under this lock: EEXIST with reason kForeign when it was not
};

// Takes the name away and forgets the claim; absent is fine. Reason kForeign when the name leads to something
// other than a namespace or an empty plain file. The namespace lives on while anybody refers to it, and as
// long as the descriptor (O_PATH) is open that this gives back: whoever closes the last one sets off the
// kernel's clean-up.
[[nodiscard]] UniqueFd UnnameNamespace(const std::string& directory, const std::string& name, Lock& lock,
                                       AnchorOwner owner);

// The same, at once.
void RemoveAnchor(const std::string& directory, const std::string& name, Lock& lock,
                  AnchorOwner owner = AnchorOwner::kAnybody);

// The claim that the lock lost is written again: for a namespace that is known to be the VM's by its links.
void ClaimAnchor(const std::string& directory, const std::string& name, Lock& lock,
                 const std::string& container);

// Names again the namespace that the lock's claim speaks of, when anybody lives in it or holds it open; empty
// when nobody does. A plain empty file that has the name gives way.
[[nodiscard]] std::optional<NamespaceId> RestoreAnchor(const std::string& directory, const std::string& name,
                                                       Lock& lock, const Cancellation& cancellation);

// All names that begin with `prefix`, as they are, by what lock files of the rest of the name claim.
[[nodiscard]] std::map<std::string, AnchorState> ListAnchorStates(const std::string& directory,
                                                                  const std::string& prefix,
                                                                  const Claims& claims);

// Names that begin with `prefix`, sorted; empty when the directory is missing.
[[nodiscard]] std::vector<std::string> ListAnchors(const std::string& directory, const std::string& prefix);

}  // namespace vulcan
