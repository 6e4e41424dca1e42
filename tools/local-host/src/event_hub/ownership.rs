//! Which instance of the host owns which partition; orders to move one enter, the partitions' listeners see them.

use tokio::sync::watch;

/// The owner of every partition.
#[derive(Debug)]
pub struct Ownership {
    owners: Vec<watch::Sender<usize>>,
    instances: usize,
}

impl Ownership {
    /// Spreads partitions evenly over instances.
    #[must_use]
    pub fn new(partitions: usize, instances: usize) -> Self {
        let instances = instances.max(1);
        let owners = (0..partitions).map(|partition| watch::Sender::new(partition % instances)).collect();
        Self { owners, instances }
    }

    /// The owner of each partition, by number of the instance.
    #[must_use]
    pub fn owners(&self) -> Vec<usize> {
        self.owners.iter().map(|owner| *owner.borrow()).collect()
    }

    /// The owner of a partition, and its changes; `None` when there is no such partition.
    #[must_use]
    pub fn of(&self, partition: usize) -> Option<watch::Receiver<usize>> {
        self.owners.get(partition).map(watch::Sender::subscribe)
    }

    /// Gives a partition to an instance.
    ///
    /// # Errors
    ///
    /// That there is no such partition or instance.
    pub fn move_to(&self, partition: usize, instance: usize) -> Result<(), String> {
        if instance >= self.instances {
            return Err(format!("there is no instance {instance}; start with more by --instances"));
        }
        let owner = self.owners.get(partition).ok_or_else(|| format!("there is no partition {partition}"))?;
        owner.send_if_modified(|present| std::mem::replace(present, instance) != instance);
        Ok(())
    }
}
