//! The models behind bounded queues, one thread a device.
