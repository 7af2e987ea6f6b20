#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace vulcan {

struct SpawnPlan {
  std::string file;
  // Those after argv[0], which is the file.
  std::vector<std::string> args;
  // The whole environment: "KEY=value".
  std::vector<std::string> env;
  std::string input;
  // Becomes descriptor 3, and is the only one besides 0, 1 and 2 that the child gets; -1 for none.
  int inherited_fd = -1;
};

struct Spawned {
  pid_t pid = -1;
  UniqueFd pidfd;
  // Ends of pipes; reading them never blocks.
  UniqueFd output;
  UniqueFd errors;
};

// Starts a program as the leader of its own process group, with default signals and an empty signal mask. The
// parent waits for the exec only, however much memory it has (posix_spawn is vfork). Empty: the file is being
// written (ETXTBSY), as happens also while any other thread of the host is between its fork and its exec.
[[nodiscard]] std::optional<Spawned> Spawn(const SpawnPlan& plan);

}  // namespace vulcan
