#include "shim/forged.h"

#include <linux/netlink.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

namespace vulcan::shim {
namespace {

struct Answers {
  std::mutex mutex;
  std::map<int, ForgedAnswer> by_fd;
};

[[nodiscard]] Answers& TheAnswers() {
  static Answers answers;
  return answers;
}

}  // namespace

void Forge(int fd, ForgedAnswer answer) {
  const std::lock_guard guard(TheAnswers().mutex);
  TheAnswers().by_fd[fd] = std::move(answer);
}

bool HasForged(int fd) {
  const std::lock_guard guard(TheAnswers().mutex);
  return TheAnswers().by_fd.contains(fd);
}

std::optional<ssize_t> TakeForged(int fd, bool waiting, void* buffer, std::size_t size, sockaddr* sender,
                                  socklen_t* sender_size) {
  const std::lock_guard guard(TheAnswers().mutex);
  const auto found = TheAnswers().by_fd.find(fd);
  if (found == TheAnswers().by_fd.end() || (found->second.last && !waiting)) return std::nullopt;
  const auto& bytes = found->second.bytes;
  std::memcpy(buffer, bytes.data(), std::min(size, bytes.size()));
  if (sender != nullptr && sender_size != nullptr) {
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    std::memcpy(sender, &kernel, std::min<std::size_t>(*sender_size, sizeof kernel));
    *sender_size = sizeof kernel;
  }
  const auto length = static_cast<ssize_t>(bytes.size());
  TheAnswers().by_fd.erase(found);
  return length;
}

void ForgetForged(int fd) {
  const std::lock_guard guard(TheAnswers().mutex);
  TheAnswers().by_fd.erase(fd);
}

void AppendAcknowledgement(std::vector<std::byte>& bytes, const nlmsghdr& message, int error) {
  struct {
    nlmsghdr header;
    nlmsgerr body;
  } answer{};
  answer.header.nlmsg_len = sizeof answer;
  answer.header.nlmsg_type = NLMSG_ERROR;
  answer.header.nlmsg_flags = NLM_F_CAPPED;
  answer.header.nlmsg_seq = message.nlmsg_seq;
  answer.header.nlmsg_pid = message.nlmsg_pid;
  answer.body.error = -error;
  answer.body.msg = message;
  const auto* const first = reinterpret_cast<const std::byte*>(&answer);
  bytes.insert(bytes.end(), first, first + sizeof answer);
}

}  // namespace vulcan::shim
