#pragma once

#include <libnftnl/batch.h>
#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nft/message.h"
#include "nft/socket.h"

namespace vulcan::nft {

// One transaction: all of its messages take effect at once, or none does.
class Batch {
 public:
  // The kernel refuses the whole batch with ERESTART when the ruleset is no longer of this generation.
  explicit Batch(std::uint32_t generation);
  // Whatever the generation: for changes that don't depend on what is there. Each message may have as many
  // bytes as an attribute, or kSmallMessageBytes, which saves the time that it takes to clear the memory.
  enum class Messages { kAny, kSmall };
  static constexpr std::uint32_t kSmallMessageBytes = 1 << 12;
  explicit Batch(Messages messages = Messages::kAny);

  // `subject` says in errors what the message is about: "set bridges".
  void Add(std::uint16_t type, std::uint8_t family, std::uint16_t flags, std::string subject,
           const Payload& payload);

  // A number that no other set of this batch has; the kernel wants one for each.
  [[nodiscard]] std::uint32_t NextSetId() noexcept { return ++set_id_; }

  // The error names the first message that the kernel refused.
  void Commit(Socket& socket);

  // How many messages of the type it has.
  [[nodiscard]] std::size_t Count(std::uint16_t type) const;

  // The bytes so far, as they would be sent.
  [[nodiscard]] std::vector<iovec> Parts() const;

 private:
  struct Free {
    void operator()(nftnl_batch* batch) const noexcept { nftnl_batch_free(batch); }
  };
  struct Step {
    std::string message;
    std::string subject;
  };
  // A message begins within the page and may run on into the overrun.
  struct Sizes {
    std::uint32_t page;
    std::uint32_t overrun;
  };
  Batch(std::optional<std::uint32_t> generation, Sizes sizes);
  // Where the next message goes.
  [[nodiscard]] char* Cursor() const { return static_cast<char*>(nftnl_batch_buffer(batch_.get())); }
  void Advance();
  // The libraries leave the padding of attributes as it was in memory, and it all goes to the kernel.
  void ClearPage();
  void Verify(const std::vector<Acknowledgement>& acknowledgements) const;

  static constexpr Sizes kAnySizes{1 << 16, 1 << 17};
  static constexpr Sizes kSmallSizes{kSmallMessageBytes, kSmallMessageBytes};

  Sizes sizes_;
  std::unique_ptr<nftnl_batch, Free> batch_;
  // Indexed by sequence number.
  std::vector<Step> steps_;
  std::uint32_t set_id_ = 0;
};

}  // namespace vulcan::nft
