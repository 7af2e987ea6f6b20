#pragma once

#include <string>

#include "base/unique_fd.h"
#include "sys/directory.h"

namespace vulcan {

// A reservation before it has its address. It is written whole under a name of its own beside the store's
// directory: whoever dies meanwhile leaves no address without an owner, and host-local, which reads every
// file of its directory, never meets it.
class AddressFile {
 public:
  AddressFile(const Directory& store, const std::string& owner);
  ~AddressFile();

  AddressFile(const AddressFile&) = delete;
  AddressFile& operator=(const AddressFile&) = delete;

  // Whether the address was free.
  [[nodiscard]] bool TryLink(const std::string& address) const;

 private:
  const Directory& store_;
  UniqueFd beside_;
  std::string name_;
};

}  // namespace vulcan
