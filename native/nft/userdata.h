#pragma once

#include <libnftnl/udata.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vulcan::nft {

// What nft(8) and we store beside an object; the kernel keeps it and never looks at it.
class UserData {
 public:
  UserData();

  // ENAMETOOLONG for more than nft's 128 bytes, the closing zero included.
  UserData& Text(std::uint8_t type, std::string_view text);
  UserData& Number(std::uint8_t type, std::uint32_t number);

  [[nodiscard]] const void* Data() const { return nftnl_udata_buf_data(buffer_.get()); }
  [[nodiscard]] std::uint32_t Size() const { return nftnl_udata_buf_len(buffer_.get()); }

 private:
  struct Free {
    void operator()(nftnl_udata_buf* buffer) const noexcept { nftnl_udata_buf_free(buffer); }
  };
  std::unique_ptr<nftnl_udata_buf, Free> buffer_;
};

// The text of the given type; empty when there is none.
[[nodiscard]] std::string ReadText(const void* data, std::uint32_t size, std::uint8_t type);

}  // namespace vulcan::nft
