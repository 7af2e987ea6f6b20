#include "nft/userdata.h"

#include <cerrno>
#include <new>

#include "base/error.h"

namespace vulcan::nft {
namespace {

// NFT_USERDATA_MAXLEN of the kernel.
constexpr std::uint32_t kMaxBytes = 256;

}  // namespace

UserData::UserData() : buffer_(nftnl_udata_buf_alloc(kMaxBytes)) {
  if (!buffer_) throw std::bad_alloc();
}

UserData& UserData::Text(std::uint8_t type, std::string_view text) {
  const std::string copy(text);
  if (copy.size() >= NFTNL_UDATA_COMMENT_MAXLEN || !nftnl_udata_put_strz(buffer_.get(), type, copy.c_str())) {
    throw Error(ENAMETOOLONG, "nftnl_udata_put").Path(text);
  }
  return *this;
}

UserData& UserData::Number(std::uint8_t type, std::uint32_t number) {
  if (!nftnl_udata_put_u32(buffer_.get(), type, number)) throw Error(ENAMETOOLONG, "nftnl_udata_put");
  return *this;
}

std::string ReadText(const void* data, std::uint32_t size, std::uint8_t type) {
  // Written by whoever made the object, so nothing about its form is taken for granted.
  constexpr std::uint32_t kHeaderBytes = 2;
  const auto* bytes = static_cast<const std::uint8_t*>(data);
  for (std::uint32_t at = 0; at + kHeaderBytes <= size;) {
    const std::uint32_t length = bytes[at + 1];
    if (at + kHeaderBytes + length > size) break;
    if (bytes[at] == type) {
      const std::string text(reinterpret_cast<const char*>(bytes + at + kHeaderBytes), length);
      return text.substr(0, text.find('\0'));
    }
    at += kHeaderBytes + length;
  }
  return {};
}

}  // namespace vulcan::nft
