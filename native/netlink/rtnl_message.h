#pragma once

#include <netlink/attr.h>
#include <netlink/msg.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>

namespace vulcan {

// One rtnetlink request under construction: header, the family's fixed part, attributes.
class RtnlMessage {
 public:
  // `type` is an RTM_*, `flags` are NLM_F_* without NLM_F_REQUEST; `fixed` is the type's ifinfomsg, tcmsg,
  // ...
  template <typename Fixed>
  RtnlMessage(int type, int flags, const Fixed& fixed) : RtnlMessage(type, flags, &fixed, sizeof fixed) {
    static_assert(std::is_trivially_copyable_v<Fixed>);
  }

  RtnlMessage& Put(int attribute, const void* data, std::size_t size);
  RtnlMessage& PutU8(int attribute, std::uint8_t value) { return Put(attribute, &value, sizeof value); }
  RtnlMessage& PutU16(int attribute, std::uint16_t value) { return Put(attribute, &value, sizeof value); }
  RtnlMessage& PutU32(int attribute, std::uint32_t value) { return Put(attribute, &value, sizeof value); }
  // A fixed part inside of a nest, before the nest's attributes.
  template <typename Fixed>
  RtnlMessage& PutFixed(const Fixed& fixed) {
    static_assert(std::is_trivially_copyable_v<Fixed>);
    return Append(&fixed, sizeof fixed);
  }
  // With its NUL.
  RtnlMessage& PutString(int attribute, std::string_view value);

  // The attributes that `fill` puts become children of `attribute`.
  template <typename Fill>
  RtnlMessage& Nest(int attribute, Fill fill) {
    nlattr* const start = BeginNest(attribute);
    fill(*this);
    nla_nest_end(message_.get(), start);
    return *this;
  }

  [[nodiscard]] nlmsghdr& Header() noexcept { return *nlmsg_hdr(message_.get()); }
  [[nodiscard]] const nlmsghdr& Header() const noexcept { return *nlmsg_hdr(message_.get()); }

 private:
  RtnlMessage(int type, int flags, const void* fixed, std::size_t size);
  RtnlMessage& Append(const void* data, std::size_t size);
  [[nodiscard]] nlattr* BeginNest(int attribute);

  struct Free {
    void operator()(nl_msg* message) const noexcept { nlmsg_free(message); }
  };
  std::unique_ptr<nl_msg, Free> message_;
};

// "RTM_NEWLINK"; what an Error of this floor gives as its system call.
[[nodiscard]] std::string_view RtnlTypeName(int type) noexcept;

}  // namespace vulcan
