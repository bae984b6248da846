// miniaudio, with the parts that we use: decoders, and devices for capture. For .cc files of this
// layer alone.
#pragma once

#define MA_NO_ENCODING
#define MA_NO_GENERATION
#define MA_NO_RESOURCE_MANAGER
#define MA_NO_NODE_GRAPH
#define MA_NO_ENGINE
#define MA_NO_JACK
#include <miniaudio/miniaudio.h>
