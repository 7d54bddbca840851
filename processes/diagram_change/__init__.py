"""Change of a procedure 流程变更发布: nobody deploys alone (X16)."""
