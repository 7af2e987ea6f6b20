#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sys/directory.h"
#include "sys/unnamed_file.h"

namespace vulcan {

// Regular files in a checked directory; symlinks are never followed (ELOOP).

// Empty when there is no such file; EFBIG when it is larger than `limit` bytes.
[[nodiscard]] std::optional<std::string> ReadFile(const Directory& directory, const std::string& name,
                                                  std::size_t limit);

// What a file was when it was written: one that is put in its place differs.
struct FileVersion {
  std::uint64_t inode = 0;
  double modified_ms = 0;

  [[nodiscard]] bool operator==(const FileVersion&) const = default;
};

// Of whatever has the name; empty when nothing has.
[[nodiscard]] std::optional<FileVersion> VersionOf(const Directory& directory, const std::string& name);

// Readers see the old content or the new, never a part. Nothing is left when it fails.
void WriteFile(const Directory& directory, const std::string& name, const std::string& data, mode_t mode);

// A file that is written before its time: it has no name until Publish, and without that nothing of it stays.
class UnpublishedFile {
 public:
  UnpublishedFile(Directory directory, const std::string& data, mode_t mode);

  // EEXIST when the name is taken.
  void Publish(const std::string& name) const;
  // Naming it does not change it.
  [[nodiscard]] const FileVersion& Version() const noexcept { return version_; }

 private:
  Directory directory_;
  UnnamedFile file_;
  FileVersion version_;
};

// Whether anything has the name.
[[nodiscard]] bool HasFile(const Directory& directory, const std::string& name);

// Whether there was one.
bool RemoveFile(const Directory& directory, const std::string& name);

struct NamedText {
  std::string name;
  // Empty: larger than the limit.
  std::optional<std::string> text;
};

// What all files of ListFiles hold.
[[nodiscard]] std::vector<NamedText> ReadFiles(const Directory& directory, std::size_t limit);

// Sorted by byte, without what an interrupted WriteFile may have left.
[[nodiscard]] std::vector<std::string> ListFiles(const Directory& directory);

}  // namespace vulcan
