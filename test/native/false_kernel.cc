// The C library's own checks are inline definitions of what is defined here.
#undef _FORTIFY_SOURCE  // NOLINT(clang-diagnostic-reserved-macro-identifier)

#include "false_kernel.h"

#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <set>
#include <vector>

namespace vulcan {
namespace {

// Of no family: the kernel refuses it with EOPNOTSUPP, which is turned into what was wished for.
constexpr std::uint16_t kNoType = 0xfff0;

std::set<std::uint32_t>& Refused() {
  thread_local std::set<std::uint32_t> refused;
  return refused;
}

template <typename Visit>
void VisitAll(void* bytes, std::size_t size, Visit visit) {
  auto left = static_cast<unsigned>(size);
  for (auto* header = static_cast<nlmsghdr*>(bytes); NLMSG_OK(header, left);
       header = NLMSG_NEXT(header, left)) {
    visit(*header);
  }
}

void Refuse(nlmsghdr& header) {
  FalseKernel& kernel = TheFalseKernel();
  if (kernel.before) kernel.before(header.nlmsg_type);
  if (kernel.refusals == 0 || header.nlmsg_type != kernel.refused_type) return;
  --kernel.refusals;
  header.nlmsg_type = kNoType;
  Refused().insert(header.nlmsg_seq);
}

void Falsify(nlmsghdr& header) {
  FalseKernel& kernel = TheFalseKernel();
  if (header.nlmsg_type == NLMSG_ERROR && Refused().erase(header.nlmsg_seq) > 0) {
    static_cast<nlmsgerr*>(NLMSG_DATA(&header))->error = -kernel.refused_errnum;
  } else if (kernel.interruptions > 0 && (header.nlmsg_flags & NLM_F_MULTI) != 0) {
    --kernel.interruptions;
    header.nlmsg_flags |= NLM_F_DUMP_INTR;
  }
}

}  // namespace

FalseKernel& TheFalseKernel() {
  thread_local FalseKernel kernel;
  return kernel;
}

}  // namespace vulcan

// They stand before those of the C library, for shared libraries, too.
#pragma GCC visibility push(default)
extern "C" {

ssize_t sendto(int fd, const void* bytes, size_t size, int flags, const sockaddr* to, socklen_t length) {
  std::vector<std::byte> copy(size);
  std::memcpy(copy.data(), bytes, size);
  vulcan::VisitAll(copy.data(), size, vulcan::Refuse);
  return ::syscall(SYS_sendto, fd, copy.data(), size, flags, to, length);
}

ssize_t recvfrom(int fd, void* bytes, size_t size, int flags, sockaddr* from, socklen_t* length) {
  const ssize_t received = ::syscall(SYS_recvfrom, fd, bytes, size, flags, from, length);
  vulcan::FalseKernel& kernel = vulcan::TheFalseKernel();
  if (received > 0 && kernel.losses > 0 && kernel.arrivals-- <= 0) {
    --kernel.losses;
    errno = ENOBUFS;
    return -1;
  }
  if (received > 0) vulcan::VisitAll(bytes, static_cast<size_t>(received), vulcan::Falsify);
  return received;
}

// libmnl's, which loses nothing.
ssize_t recvmsg(int fd, msghdr* message, int flags) {
  const ssize_t received = ::syscall(SYS_recvmsg, fd, message, flags);
  if (received > 0) {
    vulcan::VisitAll(message->msg_iov->iov_base, static_cast<size_t>(received), vulcan::Falsify);
  }
  return received;
}

ssize_t recv(int fd, void* bytes, size_t size, int flags) {
  return recvfrom(fd, bytes, size, flags, nullptr, nullptr);
}
}
#pragma GCC visibility pop
