#define MINIAUDIO_IMPLEMENTATION
#include "speech/miniaudio.h"
