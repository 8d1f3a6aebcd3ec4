// The one unit that owns the precompiled Arrow header; see SheafPch.cmake.
