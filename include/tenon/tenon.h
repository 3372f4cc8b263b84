#pragma once

// Everything that an embedder needs. Start with <tenon/engine.h>, which has the example.

#include <tenon/cache.h>
#include <tenon/call_options.h>
#include <tenon/caller.h>
#include <tenon/component.h>
#include <tenon/engine.h>
#include <tenon/function.h>
#include <tenon/instance.h>
#include <tenon/linker.h>
#include <tenon/pending.h>
#include <tenon/prepared.h>
#include <tenon/result.h>
#include <tenon/server.h>
#include <tenon/text.h>
#include <tenon/typed.h>
#include <tenon/units.h>
#include <tenon/value.h>
#include <tenon/workload.h>
#include <tenon/workload_plan.h>
