// MemoryPlanningTests
