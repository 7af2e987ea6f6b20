#include "engine/namespace_socket.h"

#include "sys/netns.h"

namespace vulcan {

RtnlSocket OpenRtnlSocket(const std::optional<std::string>& netns) {
  if (!netns) return RtnlSocket();
  const UniqueFd fd = OpenNamespace(*netns);
  return InNamespace(fd.Get(), [] { return RtnlSocket(); });
}

}  // namespace vulcan
