#include "nft/element.h"

#include <libnftnl/udata.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <exception>

#include "base/error.h"
#include "nft/handle.h"
#include "nft/userdata.h"

namespace vulcan::nft {
namespace {

// An attribute's length has 16 bits; an element with the longest key and comment takes less than 256 bytes.
constexpr std::size_t kElementsPerMessage = 128;

SetHandle Named(const Table& table, const Set& set) {
  auto handle = Own<SetHandle>(nftnl_set_alloc());
  nftnl_set_set_str(handle.get(), NFTNL_SET_TABLE, table.name.c_str());
  nftnl_set_set_str(handle.get(), NFTNL_SET_NAME, set.name.c_str());
  return handle;
}

// The address after `last`; empty when there is none.
Key Next(Key last) {
  for (auto byte = last.rbegin(); byte != last.rend(); ++byte) {
    *byte = std::byte(std::to_integer<unsigned>(*byte) + 1);
    if (*byte != std::byte{0}) return last;
  }
  return {};
}

Key Previous(Key end) {
  for (auto byte = end.rbegin(); byte != end.rend(); ++byte) {
    *byte = std::byte(std::to_integer<unsigned>(*byte) - 1);
    if (*byte != std::byte{0xff}) break;
  }
  return end;
}

ElementHandle MakeElement(const Key& key) {
  auto handle = Own<ElementHandle>(nftnl_set_elem_alloc());
  nftnl_set_elem_set(handle.get(), NFTNL_SET_ELEM_KEY, key.data(), static_cast<std::uint32_t>(key.size()));
  return handle;
}

// The kernel has no ranges: an element opens one, and another that is flagged as an end, after it, closes it.
void Put(nftnl_set* set, const Element& element) {
  ElementHandle start = MakeElement(element.key);
  const Key end = element.last.empty() ? Key() : Next(element.last);
  UserData data;
  if (!element.comment.empty()) data.Text(NFTNL_UDATA_SET_ELEM_COMMENT, element.comment);
  // A range up to the very last address has no end; nft wants to be told so.
  if (!element.last.empty() && end.empty()) {
    data.Number(NFTNL_UDATA_SET_ELEM_FLAGS, NFTNL_SET_ELEM_F_INTERVAL_OPEN);
  }
  if (data.Size() > 0) {
    nftnl_set_elem_set(start.get(), NFTNL_SET_ELEM_USERDATA, data.Data(), data.Size());
  }
  nftnl_set_elem_add(set, start.release());
  if (end.empty()) return;
  ElementHandle stop = MakeElement(end);
  nftnl_set_elem_set_u32(stop.get(), NFTNL_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
  nftnl_set_elem_add(set, stop.release());
}

void ChangeElements(Batch& batch, std::uint16_t type, std::uint16_t flags, const Table& table, const Set& set,
                    const std::vector<Element>& elements) {
  for (std::size_t at = 0; at < elements.size(); at += kElementsPerMessage) {
    const SetHandle handle = Named(table, set);
    const std::size_t end = std::min(at + kElementsPerMessage, elements.size());
    for (std::size_t i = at; i < end; ++i) Put(handle.get(), elements[i]);
    batch.Add(type, table.family, flags, "set " + set.name,
              [&](nlmsghdr* header) { nftnl_set_elems_nlmsg_build_payload(header, handle.get()); });
  }
}

// An element as the kernel has it.
struct Edge {
  Key key;
  bool is_end;
  std::string comment;
};

Edge ReadEdge(nftnl_set_elem* element) {
  Edge edge{};
  std::uint32_t size = 0;
  const auto* key = static_cast<const std::byte*>(nftnl_set_elem_get(element, NFTNL_SET_ELEM_KEY, &size));
  if (key != nullptr) edge.key.assign(key, key + size);
  edge.is_end = nftnl_set_elem_is_set(element, NFTNL_SET_ELEM_FLAGS) &&
                (nftnl_set_elem_get_u32(element, NFTNL_SET_ELEM_FLAGS) & NFT_SET_ELEM_INTERVAL_END) != 0;
  if (nftnl_set_elem_is_set(element, NFTNL_SET_ELEM_USERDATA)) {
    const void* data = nftnl_set_elem_get(element, NFTNL_SET_ELEM_USERDATA, &size);
    edge.comment = ReadText(data, size, NFTNL_UDATA_SET_ELEM_COMMENT);
  }
  return edge;
}

struct Reading {
  std::vector<Edge> edges;
  std::exception_ptr failure;
};

// Called by the library, which no exception may cross.
int Collect(nftnl_set_elem* element, void* data) {
  auto* reading = static_cast<Reading*>(data);
  try {
    reading->edges.push_back(ReadEdge(element));
    return 0;
  } catch (...) {
    reading->failure = std::current_exception();
    return -1;
  }
}

// Ends before starts of the same key: ranges that touch.
bool Before(const Edge& left, const Edge& right) {
  return left.key != right.key ? left.key < right.key : left.is_end && !right.is_end;
}

std::vector<Element> ToElements(std::vector<Edge> edges, bool interval) {
  std::sort(edges.begin(), edges.end(), Before);
  std::vector<Element> elements;
  for (Edge& edge : edges) {
    if (!edge.is_end) {
      const Key unbounded = interval ? Key(edge.key.size(), std::byte{0xff}) : Key();
      elements.push_back({std::move(edge.key), unbounded, std::move(edge.comment)});
    } else if (!elements.empty()) {
      elements.back().last = Previous(edge.key);
    }
  }
  return elements;
}

std::vector<Element> Parse(const Table& table, const Set& set, const std::vector<Message>& messages) {
  Reading reading;
  const SetHandle handle = Named(table, set);
  for (const Message& message : messages) {
    if (!AreTexts(Header(message), {NFTA_SET_ELEM_LIST_TABLE, NFTA_SET_ELEM_LIST_SET}) ||
        nftnl_set_elems_nlmsg_parse(Header(message), handle.get()) < 0)
      throw Error(EBADMSG, "NFT_MSG_GETSETELEM");
  }
  nftnl_set_elem_foreach(handle.get(), Collect, &reading);
  if (reading.failure) std::rethrow_exception(reading.failure);
  return ToElements(std::move(reading.edges), set.interval);
}

}  // namespace

void AddElements(Batch& batch, const Table& table, const Set& set, const std::vector<Element>& elements) {
  ChangeElements(batch, NFT_MSG_NEWSETELEM, NLM_F_CREATE, table, set, elements);
}

void DeleteElements(Batch& batch, const Table& table, const Set& set, const std::vector<Element>& elements) {
  ChangeElements(batch, NFT_MSG_DELSETELEM, 0, table, set, elements);
}

std::vector<Element> ListElements(Socket& socket, const Table& table, const Set& set) {
  const SetHandle wanted = Named(table, set);
  return Parse(table, set, socket.Dump(NFT_MSG_GETSETELEM, table.family, [&](nlmsghdr* header) {
    nftnl_set_elems_nlmsg_build_payload(header, wanted.get());
  }));
}

std::optional<Element> ReadElement(Socket& socket, const Table& table, const Set& set, const Key& key) {
  const SetHandle wanted = Named(table, set);
  nftnl_set_elem_add(wanted.get(), MakeElement(key).release());
  const auto message = socket.Get(NFT_MSG_GETSETELEM, table.family, [&](nlmsghdr* header) {
    nftnl_set_elems_nlmsg_build_payload(header, wanted.get());
  });
  if (!message) return std::nullopt;
  std::vector<Element> elements = Parse(table, set, {*message});
  if (elements.empty()) return std::nullopt;
  return std::move(elements.front());
}

}  // namespace vulcan::nft
