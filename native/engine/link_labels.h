#pragma once

#include <string>
#include <vector>

#include "base/wait.h"
#include "engine/attachment_host.h"

namespace vulcan {

struct LinkLabel {
  std::string link;
  std::string alias;
};

// Writes on many host links whose they are, past those that have gone. Lets others go first after every few.
class LabelLinks {
 public:
  LabelLinks(std::vector<LinkLabel> labels, AttachmentHost& host) : labels_(std::move(labels)), host_(host) {}

  // How many have gone.
  [[nodiscard]] Progress<int> Step();

 private:
  std::vector<LinkLabel> labels_;
  AttachmentHost& host_;
  std::size_t next_ = 0;
  int gone_ = 0;
};

}  // namespace vulcan
