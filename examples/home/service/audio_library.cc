// The one file that compiles miniaudio; playback only.
#define MA_NO_ENCODING
#define MA_NO_GENERATION
#define MINIAUDIO_IMPLEMENTATION
#include <miniaudio/miniaudio.h>
