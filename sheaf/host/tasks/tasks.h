// The door of host/tasks: the engine, and the engine as ports/flights for this node.
#pragma once

#include "sheaf/host/tasks/engine.h"
#include "sheaf/host/tasks/local_flights.h"
