#include "sys/holders.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "sys/mount_info.h"
#include "sys/process_file.h"

namespace vulcan {
namespace {

namespace fs = std::filesystem;

[[nodiscard]] std::vector<std::string> Entries(const std::string& directory, std::error_code& error) {
  std::vector<std::string> names;
  fs::directory_iterator entry(directory, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  return names;
}

// A process may end at any moment: whatever can't be read any more holds nothing, as far as can be told.
[[nodiscard]] std::vector<std::string> Entries(const std::string& directory) {
  std::error_code error;
  std::vector<std::string> names = Entries(directory, error);
  if (error && !IsEndedOrHidden(error.value())) throw Error(error.value(), "opendir").Path(directory);
  return names;
}

[[nodiscard]] std::string LinkText(const std::string& path) {
  std::array<char, PATH_MAX> text{};
  const ssize_t length = ::readlink(path.c_str(), text.data(), text.size());
  return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
}

[[nodiscard]] std::string CommandOf(const std::string& process) {
  const std::string command = ReadProcessFile(process + "/comm").value_or("");
  return command.substr(0, command.find('\n'));
}

// Of "net:[4026531840]", as links and mounts of network namespaces show it; 0: of anything else.
[[nodiscard]] std::uint64_t InodeIn(const std::string& text) {
  std::uint64_t inode = 0;
  return std::sscanf(text.c_str(), "net:[%" SCNu64 "]", &inode) == 1 ? inode : 0;
}

// Which of some namespaces a process holds, by their places among those that are looked for.
class Search {
 public:
  using Places = std::set<std::size_t>;

  explicit Search(const std::vector<NamespaceId>& ids) {
    for (std::size_t place = 0; place < ids.size(); ++place) {
      wanted_.emplace(ids[place].inode, Wanted{ids[place].device, place});
    }
  }

  // Threads may each be in another namespace.
  [[nodiscard]] Places RunIn(const std::string& process) const {
    Places places;
    const fs::path tasks = fs::path(process) / "task";
    for (const std::string& thread : Entries(tasks)) {
      Add(InodeIn(LinkText(tasks / thread / "ns/net")), std::nullopt, places);
    }
    return places;
  }

  [[nodiscard]] Places OpenIn(const std::string& process) const {
    Places places;
    const fs::path directory = fs::path(process) / "fd";
    for (const std::string& fd : Entries(directory)) places.merge(OpenAs(directory / fd));
    return places;
  }

  [[nodiscard]] Places MountedIn(const std::string& process) const {
    Places places;
    for (const MountInfo& mount : ReadMountInfo(process + "/mountinfo")) {
      if (mount.file_system == "nsfs") Add(InodeIn(mount.root), std::nullopt, places);
    }
    return places;
  }

  // A namespace that was opened by its name shows that name, so it takes a stat; AT_STATX_DONT_SYNC, because
  // the descriptor may as well be a file on a server that is gone.
  [[nodiscard]] Places OpenAs(const std::string& fd) const {
    Places places;
    const std::string text = LinkText(fd);
    if (!text.starts_with('/')) {
      Add(InodeIn(text), std::nullopt, places);
      return places;
    }
    if (text.starts_with("/dev/")) return places;
    struct statx status {};
    if (::statx(AT_FDCWD, fd.c_str(), AT_STATX_DONT_SYNC, STATX_INO, &status) != 0) return places;
    Add(status.stx_ino, makedev(status.stx_dev_major, status.stx_dev_minor), places);
    return places;
  }

 private:
  struct Wanted {
    std::uint64_t device;
    std::size_t place;
  };

  // Without a device it is one of nsfs, as all that are wanted are.
  void Add(std::uint64_t inode, std::optional<std::uint64_t> device, Places& places) const {
    const auto [begin, end] = wanted_.equal_range(inode);
    for (auto each = begin; each != end; ++each) {
      if (!device || *device == each->second.device) places.insert(each->second.place);
    }
  }

  std::multimap<std::uint64_t, Wanted> wanted_;
};

[[nodiscard]] bool IsPid(const std::string& name) {
  return std::all_of(name.begin(), name.end(), [](char each) { return each >= '0' && each <= '9'; });
}

[[nodiscard]] UniqueFd OpenIfIs(const std::string& path, const NamespaceId& id) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd && (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) throw SystemError("open", path);
  struct stat status {};
  if (!fd || ::fstat(fd.Get(), &status) != 0) return {};
  return NamespaceId{status.st_dev, status.st_ino} == id ? std::move(fd) : UniqueFd();
}

// The same thread or descriptor may have become another meanwhile, so what was opened is looked at again.
[[nodiscard]] UniqueFd OpenOf(const std::string& process, const Search& search, const NamespaceId& id) {
  const fs::path directory(process);
  for (const std::string& thread : Entries(process + "/task")) {
    if (UniqueFd fd = OpenIfIs(directory / "task" / thread / "ns/net", id)) return fd;
  }
  for (const std::string& number : Entries(process + "/fd")) {
    const std::string path = directory / "fd" / number;
    if (search.OpenAs(path).empty()) continue;
    if (UniqueFd fd = OpenIfIs(path, id)) return fd;
  }
  return {};
}

// Whoever forks and ends while /proc is read lives on under a number that was not listed: so it is listed
// until there is nobody in it who has not been read.
class InhabitedReading {
 public:
  explicit InhabitedReading(const Cancellation& cancellation) : cancellation_(cancellation) {}

  [[nodiscard]] InhabitedNamespaces Run() {
    int listings = 1;
    while (ReadNew() && listings < kMostListings) ++listings;
    if (listings == kMostListings) Note(EBUSY);
    // Where others' processes are hidden (hidepid of proc(5)), so is the first of all.
    if (inhabited_.unread == 0 && !read_.contains("1")) Note(EACCES);
    return std::move(inhabited_);
  }

 private:
  static constexpr int kMostListings = 16;

  // Whatever has ended runs nowhere.
  void Note(int errnum) {
    if (errnum != 0 && errnum != ENOENT && errnum != ESRCH) inhabited_.unread = errnum;
  }

  // The kernel says EACCES of one that ends while its link is read, too (proc_ns_readlink of
  // fs/proc/namespaces.c): only its directory tells.
  void NoteThread(const fs::path& thread, int errnum) {
    const bool may_have_ended = errnum == EACCES || errnum == EPERM;
    Note(may_have_ended && ::access(thread.c_str(), F_OK) != 0 ? errno : errnum);
  }

  // Whether there was anybody whom the listing before had not.
  [[nodiscard]] bool ReadNew() {
    std::error_code error;
    bool is_any = false;
    std::set<std::string> listed;
    for (std::string& name : Entries("/proc", error)) {
      if (!IsPid(name)) continue;
      cancellation_.ThrowIfCancelled();
      if (!read_.contains(name)) {
        is_any = true;
        ReadProcess(name);
      }
      listed.insert(std::move(name));
    }
    Note(error.value());
    // A number may come to be another's.
    read_ = std::move(listed);
    return is_any;
  }

  void ReadProcess(const std::string& name) {
    const fs::path tasks = fs::path("/proc") / name / "task";
    std::error_code ended;
    for (const std::string& thread : Entries(tasks, ended)) {
      errno = 0;
      const std::string text = LinkText(tasks / thread / "ns/net");
      NoteThread(tasks / thread, errno);
      if (const std::uint64_t inode = InodeIn(text); inode != 0) inhabited_.inodes.insert(inode);
    }
    Note(ended.value());
  }

  const Cancellation& cancellation_;
  std::set<std::string> read_;
  InhabitedNamespaces inhabited_;
};

}  // namespace

InhabitedNamespaces ReadInhabitedNamespaces(const Cancellation& cancellation) {
  return InhabitedReading(cancellation).Run();
}

UniqueFd OpenHeldNamespace(const NamespaceId& id, const Cancellation& cancellation) {
  const Search search({id});
  for (const std::string& name : Entries("/proc")) {
    if (!IsPid(name)) continue;
    cancellation.ThrowIfCancelled();
    if (UniqueFd fd = OpenOf("/proc/" + name, search, id)) return fd;
  }
  return {};
}

std::vector<std::vector<NamespaceHolder>> FindHolders(const std::vector<NamespaceId>& ids,
                                                      const Cancellation& cancellation) {
  const Search search(ids);
  std::set<std::string> mount_namespaces{LinkText("/proc/thread-self/ns/mnt")};
  std::vector<std::vector<NamespaceHolder>> holders(ids.size());
  for (const std::string& name : Entries("/proc")) {
    if (!IsPid(name)) continue;
    cancellation.ThrowIfCancelled();
    const std::string process = "/proc/" + name;
    const auto add = [&](const Search::Places& places, HoldVia via) {
      for (const std::size_t place : places) {
        holders[place].push_back({std::stoi(name), CommandOf(process), via});
      }
    };
    add(search.RunIn(process), HoldVia::kMember);
    add(search.OpenIn(process), HoldVia::kFd);
    if (mount_namespaces.insert(LinkText(process + "/ns/mnt")).second) {
      add(search.MountedIn(process), HoldVia::kMount);
    }
  }
  return holders;
}

}  // namespace vulcan
