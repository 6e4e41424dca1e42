//! Says whether a program runs on Azure's Linux: x86-64, with a C library as old as theirs.
//!
//! What enters is the bytes of a program; what leaves is yes, or what it needs that is not there.

use anyhow::{Context, Result, bail};
use object::LittleEndian;
use object::elf::{EM_X86_64, FileHeader64, VER_FLG_WEAK};
use object::read::elf::FileHeader;

/// The C library of the Debian 12 images that Azure Functions runs on.
const NEWEST: Version = Version(2, 36);

/// A version of glibc: major, minor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32);

/// Checks that a program runs on Azure's Linux.
///
/// # Errors
///
/// When it is no 64-bit ELF program for x86-64, or needs symbols of a newer glibc.
pub(crate) fn check(program: &[u8]) -> Result<()> {
    let header = FileHeader64::<LittleEndian>::parse(program).context("not a 64-bit ELF program")?;
    let endian = header.endian().context("not a little-endian ELF program")?;
    let machine = header.e_machine(endian);
    if machine != EM_X86_64 {
        bail!("built for ELF machine {machine:?}, but Azure's Linux is x86-64");
    }
    for name in needed(program)? {
        if refused(&name) {
            bail!(
                "needs `{name}`, but Azure's Linux has glibc {}.{}: build on Debian 12 or something older",
                NEWEST.0,
                NEWEST.1
            );
        }
    }
    Ok(())
}

/// The versions of symbols that the program cannot start without.
fn needed(program: &[u8]) -> Result<Vec<String>> {
    let header = FileHeader64::<LittleEndian>::parse(program)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, program).context("its sections cannot be read")?;
    let mut names = Vec::new();
    // A program that is linked statically needs no versions.
    let Some((mut libraries, link)) = sections.gnu_verneed(endian, program)? else { return Ok(names) };
    let strings = sections.strings(endian, program, link)?;
    while let Some((_, mut versions)) = libraries.next()? {
        while let Some(version) = versions.next()? {
            // The loader goes on without a version that is needed weakly; the standard library asks before use.
            if !version.vna_flags.get(endian).contains(VER_FLG_WEAK) {
                names.push(String::from_utf8_lossy(version.name(endian, strings)?).into_owned());
            }
        }
    }
    Ok(names)
}

/// Whether a version of a symbol is missing in Azure. Other libraries' versions have other names.
fn refused(name: &str) -> bool {
    let Some(version) = name.strip_prefix("GLIBC_") else { return false };
    match parse(version) {
        Some(version) => version > NEWEST,
        // Relative relocations came with 2.36 itself; every other unnumbered version is glibc's own business.
        None => version != "ABI_DT_RELR",
    }
}

fn parse(version: &str) -> Option<Version> {
    let mut parts = version.split('.');
    let parsed = Version(parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        for allowed in ["GLIBC_2.2.5", "GLIBC_2.4", "GLIBC_2.36", "GLIBC_ABI_DT_RELR", "GCC_4.2.0"] {
            assert!(!refused(allowed), "{allowed}");
        }
        for newer in ["GLIBC_2.37", "GLIBC_2.100", "GLIBC_3.0", "GLIBC_PRIVATE"] {
            assert!(refused(newer), "{newer}");
        }
    }

    #[test]
    fn what_is_no_program_is_refused() {
        assert_eq!(check(b"#!/bin/sh\n").unwrap_err().to_string(), "not a 64-bit ELF program");
        assert!(check(&[]).is_err());
    }

    #[test]
    fn this_very_program_needs_glibc_and_a_newer_version_in_it_is_found() {
        let mut program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let oldest = b"GLIBC_2.2.5";
        assert!(needed(&program).unwrap().iter().any(|name| name.as_bytes() == oldest));
        let places = program.windows(oldest.len()).enumerate().filter(|(_, bytes)| bytes == oldest);
        let places: Vec<usize> = places.map(|(place, _)| place).collect();
        for place in places {
            program[place..place + oldest.len()].copy_from_slice(b"GLIBC_9.2.5");
        }
        assert!(check(&program).unwrap_err().to_string().starts_with("needs `GLIBC_9.2.5`"));
    }

    #[test]
    fn another_machine_is_refused() {
        let mut program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        program[18] = 183;
        assert!(check(&program).unwrap_err().to_string().contains("Azure's Linux is x86-64"));
    }
}
