//! Ids: drawn ones come through the [`Ids`] port, derived ones are UUID version 5 (RFC 9562, section 5.5) in one
//! fixed namespace, so that whoever derives them, however often, gets the same.

use uuid::Uuid;

use crate::clock::{self, Timestamp};

/// The namespace of everything this system derives. Changing it would make made things be made again.
pub const NAMESPACE: Uuid = Uuid::from_u128(0x6c1f_7c52_0f0b_5d1e_9a57_3d2b_84e1_a6c9);

/// Where new ids come from. The system's source lives in the runtime crate; tests bring their own.
pub trait Ids: Send + Sync {
    /// A new UUID version 7 for `now`.
    fn new_id(&self, now: Timestamp) -> Uuid;
    /// A new UUID version 4, for what must not reveal when it was made.
    fn random(&self) -> Uuid;
}

/// The UUID version 5 of `name` within `kind` (`"instance"`, `"reminder"` ...). Kinds never share an id.
#[must_use]
pub fn derived(kind: &str, name: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("{kind}:{name}").as_bytes())
}

/// The id of the task made for a slot of a series.
#[must_use]
pub fn instance_id(series: Uuid, slot: Timestamp) -> Uuid {
    derived("instance", &slot_name(series, slot))
}

/// The id of the task that is made because another one of the series was closed: that one is the key of its slot.
#[must_use]
pub fn follower_id(series: Uuid, closed: Uuid) -> Uuid {
    derived("instance", &format!("{series}/{closed}"))
}

/// The id of the event that says such a task was made; `epoch` as in [`slot_event_id`].
#[must_use]
pub fn follower_event_id(series: Uuid, closed: Uuid, epoch: i32) -> Uuid {
    made_event_id(&format!("{series}/{closed}"), epoch)
}

/// The id of the event that says a reminder fired for this trigger time.
#[must_use]
pub fn reminder_event_id(reminder: Uuid, trigger_at: Timestamp) -> Uuid {
    derived("reminder", &slot_name(reminder, trigger_at))
}

/// The id of the event that says a slot of a series was decided.
///
/// `epoch` counts how often a slot had to be announced anew (its instance was withdrawn and the slot came back);
/// epoch 0 is the plain (series, slot).
#[must_use]
pub fn slot_event_id(series: Uuid, slot: Timestamp, epoch: i32) -> Uuid {
    made_event_id(&slot_name(series, slot), epoch)
}

/// The id of an instance's reminder that rings this many seconds before the due date.
#[must_use]
pub fn instance_reminder_id(instance: Uuid, before_due_seconds: i64) -> Uuid {
    derived("instance-reminder", &format!("{instance}/{before_due_seconds}"))
}

fn made_event_id(name: &str, epoch: i32) -> Uuid {
    if epoch == 0 { derived("slot", name) } else { derived("slot", &format!("{name}#{epoch}")) }
}

fn slot_name(of: Uuid, at: Timestamp) -> String {
    format!("{of}/{}", clock::name(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;

    #[test]
    fn the_same_slot_has_the_same_ids_for_ever() {
        let (series, slot) = (Uuid::from_u128(7), at("2026-03-01T09:00:00Z"));
        // Literal on purpose: a change of these values would make and announce everything a second time.
        assert_eq!(instance_id(series, slot).to_string(), "0ae1eb90-e678-50d9-9b2b-54a2ca7f44d0");
        assert_eq!(slot_event_id(series, slot, 2).to_string(), "b1358c95-68da-5462-a63c-51d45adc1822");
        assert_eq!(reminder_event_id(series, slot).to_string(), "4224a59f-6641-5a7c-8d7a-6e9ffcb9f170");
        let closed = Uuid::from_u128(8);
        assert_eq!(follower_id(series, closed).to_string(), "4fefd2c5-ab11-5b41-bb2d-f9e096a82a99");
        assert_eq!(follower_event_id(series, closed, 0).to_string(), "a24fa86c-721a-5451-b35c-b8d439bb31b5");
        assert_eq!(instance_id(series, slot).get_version_num(), 5);
    }

    #[test]
    fn kinds_slots_and_epochs_do_not_share_ids() {
        let (series, slot) = (Uuid::from_u128(7), at("2026-03-01T09:00:00Z"));
        let ids = [
            instance_id(series, slot),
            slot_event_id(series, slot, 0),
            slot_event_id(series, slot, 1),
            reminder_event_id(series, slot),
            instance_id(series, at("2026-03-01T09:00:00.000001Z")),
            instance_reminder_id(series, 60),
            follower_id(series, Uuid::from_u128(8)),
            follower_id(series, Uuid::from_u128(9)),
            follower_event_id(series, Uuid::from_u128(8), 0),
            follower_event_id(series, Uuid::from_u128(8), 1),
        ];
        for (index, id) in ids.iter().enumerate() {
            assert!(!ids[index + 1..].contains(id));
        }
    }
}
