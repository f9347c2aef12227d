-- What analysts may read: views only.
CREATE DATABASE IF NOT EXISTS parkmesh
