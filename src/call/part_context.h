#pragma once

// What is known of the part of a program that calls: its name, and what each plugin keeps for it.
// WASI is such a plugin.
//
//     PartContext ── component, userData
//        ├─ slot 0 ── wasi::Context       what its host functions work on
//        ├─ slot 1 ── ...                 those of the next plugin
//
// Bound to its loop's thread. Outlives the part's instance, at one address.

#include <kj/async.h>

#include <any>
#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace tenon::call {

class PartContext;

// What a plugin keeps for one part of one instance. Each plugin derives one class, and finds its
// objects by that.
class PluginState {
 public:
  virtual ~PluginState() noexcept(false) = default;

  // Resolves when what the part gave to the plugin is where it goes: for the end of a program. Must
  // not outlive this.
  virtual kj::Promise<void> drained() = 0;
  // The program ended with a failure.
  virtual void failed() = 0;
  // The same again, for the part of another instance on the same loop. Cheap: nothing is opened or
  // checked again.
  virtual std::unique_ptr<PluginState> copy() const = 0;

 protected:
  PluginState() = default;
  PluginState(const PluginState&) {}
  PluginState& operator=(const PluginState&) = delete;
  // Of the part; empty as long as it is of none.
  const std::string& component() const;

 private:
  friend class PartContext;
  const PartContext* part_ = nullptr;
};

class PartContext {
 public:
  // In one process.
  static constexpr size_t MOST_PLUGINS = 16;

  explicit PartContext(std::string component = {}, std::any* userData = nullptr)
      : component(std::move(component)), userData(userData) {}
  PartContext(const PartContext&) = delete;
  PartContext& operator=(const PartContext&) = delete;
  ~PartContext() noexcept(false);

  const std::string component;   // its name in a workload; else empty
  std::any* userData = nullptr;  // the embedder's, of the instance; null: none

  // `State`: the class of the plugin, by which `find` finds it again.
  template <typename State>
  void put(std::unique_ptr<std::type_identity_t<State>> state) {
    state->part_ = this;
    states_[SLOT<State>] = std::move(state);
  }
  // Null: the plugin has nothing for the part.
  template <typename State>
  State* find() const {
    return static_cast<State*>(states_[SLOT<State>].get());
  }

  // All plugins together. The promise must not outlive this.
  kj::Promise<void> drained();
  void failed();
  // With copies of all states, for another instance on the same loop; without `userData`.
  std::unique_ptr<PartContext> copy() const;

 private:
  static size_t newSlot();
  template <typename State>
  static inline const size_t SLOT = newSlot();

  std::array<std::unique_ptr<PluginState>, MOST_PLUGINS> states_;
};

inline const std::string& PluginState::component() const {
  static const std::string NONE;
  return part_ ? part_->component : NONE;
}

}  // namespace tenon::call
