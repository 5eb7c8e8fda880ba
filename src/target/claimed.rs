//! How claims are read: names of capabilities beside `stance`, and a stance in one of three forms.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::findings::{Is, all_capabilities};
use super::profile::{Claims, StanceClaim};
use crate::suite::model::StanceWord;

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Claims, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Claims;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("`stance` and names of capabilities, each `supported`, `absent` or `broken`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Claims, A::Error> {
                let mut claims = Claims::default();
                while let Some(name) = map.next_key::<String>()? {
                    if name == "stance" {
                        claims.stance = map.next_value()?;
                    } else {
                        claims.capabilities.insert(name, map.next_value()?);
                    }
                }
                Ok(claims)
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

impl<'de> Deserialize<'de> for StanceClaim {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<StanceClaim, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = StanceClaim;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("`accept`, `refuse`, `broken`, `require: [platforms]` or `refuse: repository|registry`")
            }

            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<StanceClaim, E> {
                StanceWord::deserialize(serde::de::value::StrDeserializer::new(word)).map(StanceClaim::Word)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<StanceClaim, A::Error> {
                let claim = match map.next_key::<String>()?.as_deref() {
                    Some("require") => StanceClaim::Require { require: map.next_value()? },
                    Some("refuse") => StanceClaim::Refuse { refuse: map.next_value()? },
                    Some(other) => return Err(serde::de::Error::unknown_field(other, &["require", "refuse"])),
                    None => return Err(serde::de::Error::missing_field("require")),
                };
                match map.next_key::<String>()? {
                    None => Ok(claim),
                    Some(other) => Err(serde::de::Error::custom(format!("`{other}`: a stance is one thing only"))),
                }
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl JsonSchema for Claims {
    fn schema_name() -> Cow<'static, str> {
        "Claims".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let stance = generator.subschema_for::<StanceClaim>();
        let word = generator.subschema_for::<Is>().to_value();
        let mut properties = Map::new();
        properties.insert(
            "stance".into(),
            json_schema!({
                "type": "object",
                "description": "By format.",
                "properties": {"oci": stance, "docker": stance},
                "additionalProperties": false
            })
            .to_value(),
        );
        for (name, meaning) in all_capabilities() {
            let mut property = word.clone();
            if let Value::Object(property) = &mut property {
                property.insert("description".into(), (*meaning).into());
            }
            properties.insert((*name).to_owned(), property);
        }
        json_schema!({
            "type": "object",
            "description": "What a profile says of its product: held against the findings.",
            "properties": properties,
            "additionalProperties": false
        })
    }
}
