#pragma once

// What the commands share that a component or a workload is given to: getting it to run, and saying
// why it did not.

#include "cli/options.h"

#include <tenon/component.h>
#include <tenon/instance.h>
#include <tenon/linker.h>
#include <tenon/prepared.h>
#include <tenon/result.h>
#include <tenon/workload.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::cli {

// What FILE of a command line names, loaded, with what WASI provides. A single component is like
// the only one of a workload, and has no name; that it needs other words is known here.
class Guest {
 public:
  // With an engine for one instance; warns when compiled code will not be cached. Takes from a
  // manifest what `options` do not say, and plans. Errors: of the options; as Component::load and
  // Workload::load, whose problems are `explain`ed.
  static Result<Guest> load(const std::string& path, GuestOptions options);

  const std::string& path() const { return path_; }
  bool isWorkload() const { return workload_.has_value(); }
  // Of a component by itself: that one, without a name and without its links.
  const WorkloadPlan& plan() const { return plan_; }
  // `planned`: of the plan.
  const Component& codeOf(const PlannedComponent& planned) const;

  // What takes longer than a second is told on a terminal.
  Result<void> compile();
  // Why compiling could not use the cache; empty when all is well.
  std::string warning() const;
  // Compiles, which is part of the guest's time, and instantiates. Warns when the cache could not
  // be used. Each component has what the manifest gives it, and this command's standard output and
  // error; the components `chosen` have the rest of what the command line gives, with `arguments`
  // behind those that they have.
  Result<Instance> instantiate(Loop& loop, const std::vector<std::string>& chosen,
                               const std::vector<std::string>& arguments);

  // An error of this as a person wants to read it: of which file, and which option would help; with
  // a code that leads to the right exit code. `instance`: null if there is none.
  Error explain(Error error, const Instance* instance = nullptr) const;
  // What to do with a component that is no program, for the end of a message.
  std::string otherUse(const PlannedComponent& planned) const;

 private:
  Guest(std::string path, GuestOptions options)
      : path_(std::move(path)), options_(std::move(options)) {}
  Error explainFailure(Error error, uint64_t memoryUsed) const;
  std::string memoryHint(uint64_t used) const;
  std::string compilingText() const;

  std::string path_;
  GuestOptions options_;
  InstanceOptions given_;  // by the command line and, in limits, by the manifest
  Linker linker_;
  std::optional<Component> component_;
  std::optional<Workload> workload_;  // one of both
  WorkloadPlan plan_;
};

// The workload of a folder or a manifest. Errors: as Workload::load; only NOT_FOUND, PERMISSION and
// IO are about the manifest's own file, everything else means exit code 125.
Result<Workload> loadWorkload(const std::string& path, const GuestOptions& guest,
                              const Workload::CheckSettings& check = nullptr);

// What to exit with after an error about FILE.
int exitCodeOf(const Error& error, const std::string& file);

}  // namespace tenon::cli
