"""A file as mysqldump writes it, made from the tables of an SQLite file."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

TYPES = {
    "Id": "varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci NOT NULL",
    "Metadata": "longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci NOT NULL",
    "LockoutEnd": "datetime(6) DEFAULT NULL",
    "Permissions": "int NOT NULL DEFAULT '1'",
    "CreationDate": "datetime(6) NOT NULL COMMENT 'when; it''s a (date)'",
}
FLAGS = frozenset({"EmailConfirmed", "LockoutEnabled", "IsPublic"})
HEADER = """\
-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)
--
-- Host: localhost    Database: {name}
-- ------------------------------------------------------
-- Server version	8.0.36

/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!50503 SET NAMES utf8mb4 */;
/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;
"""
OTHERS = """\
DROP TABLE IF EXISTS `__EFMigrationsHistory`;
CREATE TABLE `__EFMigrationsHistory` (`MigrationId` varchar(150) NOT NULL, PRIMARY KEY (`MigrationId`));
INSERT INTO `__EFMigrationsHistory` VALUES ('2021; it''s \\'one\\' -- /* # ');
/*!50003 SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO' */ ;
DELIMITER ;;
/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`%`*/ /*!50003 TRIGGER `log` AFTER INSERT ON `Log` FOR EACH ROW BEGIN
INSERT INTO `AspNetRoles` VALUES ('9','evil','EVIL',NULL);
END */;;
DELIMITER ;
/*!50001 CREATE VIEW `AspNetUserNames` AS SELECT 1 AS `UserName`*/;
"""
TRAILER = """\
/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;

-- Dump completed on 2026-01-15 10:30:00
"""


def dump(path: Path, *, complete: bool = False, one_row: bool = False, with_tables: bool = True) -> str:
    """Return all tables of an SQLite file in the form of mysqldump.

    `complete` names the columns in each INSERT, which has a single row if `one_row`. Without `with_tables` there is no
    CREATE TABLE.
    """
    parts = [HEADER.format(name=path.stem)]
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        for name in names:
            if name.startswith("sqlite_"):
                continue
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
            rows = ["(" + ",".join(map(_literal, row)) + ")" for row in connection.execute(f"SELECT * FROM {name}")]
            parts += [_create(name, columns)] if with_tables else []
            listed = f" ({', '.join(f'`{column}`' for column in columns)})" if complete else ""
            for values in [[row] for row in rows] if one_row else [rows] if rows else []:
                parts.append(f"INSERT INTO `{name}`{listed} VALUES {','.join(values)};\n")
            parts.append(f"/*!40000 ALTER TABLE `{name}` ENABLE KEYS */;\nUNLOCK TABLES;\n")
    return "".join([*parts, OTHERS, TRAILER])


def _create(name: str, columns: list[str]) -> str:
    lines = [f"  `{column}` {_type(column)}" for column in columns]
    separator = ",\n"
    lines += [f"  PRIMARY KEY (`{columns[0]}`)", f"  KEY `{name}Index` (`{columns[-1]}`(20))"]
    return (
        f"\n--\n-- Table structure for table `{name}`\n--\n\nDROP TABLE IF EXISTS `{name}`;\n"
        "/*!40101 SET @saved_cs_client     = @@character_set_client */;\n"
        f"CREATE TABLE `{name}` (\n{separator.join(lines)}\n) ENGINE=InnoDB AUTO_INCREMENT=4 DEFAULT CHARSET=utf8mb4"
        f" /*!50100 PARTITION BY KEY (x) */;\n\nLOCK TABLES `{name}` WRITE;\n"
    )


def _type(column: str) -> str:
    return TYPES.get(column, "tinyint(1) NOT NULL" if column in FLAGS else "varchar(256) DEFAULT NULL")


_ESCAPES = {"\\": "\\\\", "'": "\\'", '"': '\\"', "\0": "\\0", "\n": "\\n", "\r": "\\r", "\x1a": "\\Z"}


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else "'" + "".join(_ESCAPES.get(each, each) for each in value) + "'"
